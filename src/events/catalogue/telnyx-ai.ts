import type { FamilyGroup } from './catalogue-entry';
import { V2_META_SHAPES, V2_SHAPES } from './catalogue-entry';

const provider = 'telnyx';

/** AI assistants. */
export const AI_ASSISTANT = {
  provider,
  family: 'ai-assistant',
  label: 'AI assistants',
  prefixes: ['assistant.', 'call.conversation.', 'call.conversation_insights.'],
  shapes: V2_SHAPES,
  types: [
    {
      event_type: 'assistant.initialization',
      aliases: ['dynamic_variables'],
      answer: 'json',
      description: 'An assistant asks for its variables; the answer must be JSON and quick'
    },
    { event_type: 'call.conversation.ended', description: 'The talk with an assistant ended' },
    { event_type: 'call.conversation_insights.generated', description: 'Findings on a talk are ready' }
  ]
} as const satisfies FamilyGroup;

/** Collecting answers with AI. */
export const AI_GATHER = {
  provider,
  family: 'ai-gather',
  label: 'AI gather',
  prefixes: ['call.ai_gather.'],
  shapes: V2_SHAPES,
  types: [
    { event_type: 'call.ai_gather.ended', description: 'The assistant collected what it was asked for' },
    { event_type: 'call.ai_gather.message_history_updated', description: 'The talk so far, as messages' },
    { event_type: 'call.ai_gather.partial_results', description: 'What the assistant collected so far' },
    { event_type: 'call.ai_gather.tool_call', description: 'The assistant wants to use a tool (early 2025)' }
  ]
} as const satisfies FamilyGroup;

export const AI_INSIGHTS = {
  provider,
  family: 'ai-insights',
  label: 'AI insights',
  prefixes: ['conversation.insights.'],
  shapes: ['flat-typed'],
  types: [{ event_type: 'conversation.insights.completed', description: 'A group of insights is ready' }]
} as const satisfies FamilyGroup;

export const DIALOGFLOW = {
  provider,
  family: 'dialogflow',
  label: 'Dialogflow',
  prefixes: ['dialogflow.'],
  shapes: V2_META_SHAPES,
  types: [{ event_type: 'dialogflow.detectintent.response', description: 'Dialogflow understood something' }]
} as const satisfies FamilyGroup;

export const TELNYX_AI_GROUPS = [AI_ASSISTANT, AI_GATHER, AI_INSIGHTS, DIALOGFLOW] as const;
