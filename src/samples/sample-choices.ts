import { IN_ENGLISH, type ListedEvents } from '../events/catalogue-texts';
import type { Provider } from '../events/provider';

export interface SampleChoice {
  type: string;
  description: string;
  /** Other names of the event. */
  aliases: readonly string[];
}

/** The events of one family. */
export interface SampleFamily {
  family: string;
  label: string;
  types: SampleChoice[];
}

export interface SampleChoices {
  families: SampleFamily[];
  /** The type that most people try first. */
  usual: string;
}

const USUAL: Readonly<Record<Provider, string>> = {
  telnyx: 'call.recording.saved',
  daily: 'recording.ready-to-download'
};

/** All events of a provider to choose from: the family of the usual one first, the others as in the catalogue. */
export function sampleChoices(provider: Provider, listed: ListedEvents = IN_ENGLISH): SampleChoices {
  const usual = USUAL[provider];
  const families = listed.families
    .filter((family) => family.provider === provider)
    .map(({ family, label }) => ({
      family,
      label,
      types: listed.entries
        .filter((entry) => entry.provider === provider && entry.family === family)
        .map(({ event_type, description, aliases }) => ({ type: event_type, description, aliases }))
    }));
  const isFirst = ({ types }: SampleFamily): boolean => types.some(({ type }) => type === usual);
  return { families: [...families.filter(isFirst), ...families.filter((one) => !isFirst(one))], usual };
}
