import { randomUUID } from 'node:crypto';
import type { TELNYX_AI_GROUPS } from '../../events/catalogue/telnyx-ai';
import { type SampleRecipe, callIds, callParties } from '../sample-facts';
import type { TypeIn } from '../sample-types';

const ASSISTANT = 'assistant-sample';
const HISTORY = [
  { content: 'Which city do you live in?', role: 'assistant' },
  { content: 'In Springfield.', role: 'user' }
];

/** AI assistants, AI gather, insights, Dialogflow. */
export const AI_SAMPLES: Record<TypeIn<typeof TELNYX_AI_GROUPS>, SampleRecipe> = {
  'assistant.initialization': ({ call }) => ({
    assistant_id: ASSISTANT,
    call_control_id: call.call_control_id,
    telnyx_agent_target: call.to,
    telnyx_conversation_channel: 'phone_call',
    telnyx_end_user_target: call.from
  }),
  'call.conversation.ended': (facts) => ({
    ...callParties(facts),
    assistant_id: ASSISTANT,
    conversation_id: randomUUID(),
    duration_sec: 42,
    llm_model: 'sample-model',
    reason: 'user_hangup'
  }),
  'call.conversation_insights.generated': (facts) => ({
    ...callIds(facts),
    insight_group_id: randomUUID(),
    results: [{ insight_id: randomUUID(), result: 'The caller asked for the opening hours.' }]
  }),
  'call.ai_gather.ended': (facts) => ({
    ...callParties(facts),
    message_history: HISTORY,
    result: { city: 'Springfield' },
    status: 'valid'
  }),
  'call.ai_gather.message_history_updated': (facts) => ({ ...callParties(facts), message_history: HISTORY }),
  'call.ai_gather.partial_results': (facts) => ({
    ...callParties(facts),
    message_history: HISTORY,
    partial_results: { city: 'Springfield' }
  }),
  'call.ai_gather.tool_call': (facts) => ({
    ...callIds(facts),
    tool_call: { arguments: '{"city":"Springfield"}', id: 'call-1', name: 'find_city' }
  }),
  'conversation.insights.completed': () => ({
    conversation_id: randomUUID(),
    insight_group_id: randomUUID(),
    insights: [{ insight_id: randomUUID(), result: { score: 4 } }]
  }),
  'dialogflow.detectintent.response': (facts) => ({
    ...callIds(facts),
    is_final: true,
    transcript: 'yes please'
  })
};
