import { CodedError } from '../../../../src/errors/coded-error';
import { idSegment } from '../../../../src/providers/http/api-address';
import { JsonApi } from '../../../../src/providers/http/json-api';
import { type Ask, patientAsk } from '../../../../src/providers/http/patient-request';
import {
  type ListedBatch,
  type ProviderDefinition,
  withoutAccount
} from '../../../../src/providers/provider';
import { unknownDetails } from '../../../../src/recording/extract/announcement';
import { identityOfId, mediaLink } from '../../../../src/recording/recording-reference';
import { type Fields, asFields, asText } from '../../../../src/values/fields';
import { readTime } from '../../../../src/values/time';

class AtticApi extends JsonApi {}

/** A provider that this package does not know: what somebody would write to add one, and nothing else. */
export const atticProvider: ProviderDefinition = {
  name: 'attic',
  label: 'Attic',
  usualKind: 'audio',
  hasFormatsInLinks: true,
  filters: { own: ['after'], parameter: (name) => name, hasOperators: false },

  fromListed: (item) => {
    const id = asText(item['id']);
    if (id === null) return [];
    const announced = {
      provider: 'attic',
      event_type: null,
      event_id: null,
      announced_at: readTime(item['begun'])
    };
    return [
      {
        kind: 'audio',
        identity: identityOfId('attic', id),
        details: { ...unknownDetails(announced), recording_id: id, started_at: announced.announced_at },
        links: [],
        media_index: null,
        announced_at: announced.announced_at,
        storage_key: null
      }
    ];
  },

  open: (account, { breakers }) => {
    const api =
      account &&
      new AtticApi(
        { apiUrl: account.apiUrl, apiKey: () => account.apiKey(), ...(breakers && { breakers }) },
        {
          provider: 'Attic',
          defaultUrl: 'https://attic.example.com',
          keyPlace: 'the attic',
          readError: () => ({ code: null, title: null }),
          meanings: {}
        }
      );
    const get = async (id: string, signal: AbortSignal): Promise<Fields> =>
      asFields(await api?.request({ method: 'GET', path: ['tapes', idSegment(id)], signal })) ?? {};
    return {
      authorize: () => undefined,
      resolveLinks: async ({ details }, _why, signal) => {
        if (details.recording_id === null) return [];
        if (api === null) throw new CodedError('NO_RECORDING', 'Choose an Attic account.');
        return [mediaLink(String((await get(details.recording_id, signal))['file']), 'wav')];
      },
      completeDetails: async ({ details }, signal) =>
        details.recording_id === null || api === null
          ? details
          : { ...details, from: asText((await get(details.recording_id, signal))['caller']) },
      fetchTranscript: ({ details }) => Promise.resolve(details.transcription),
      deleteRecording: async ({ details }, signal) => {
        if (details.recording_id === null) return { ok: false, message: 'It has no id.' };
        await api?.request({ method: 'DELETE', path: ['tapes', idSegment(details.recording_id)], signal });
        return { ok: true, already_gone: false };
      },
      listRecordings: ({ filter, onWait }, signal) => {
        if (api === null) throw withoutAccount(atticProvider);
        return tapes(patientAsk(api, { onWait, random: Math.random, signal }), filter);
      },
      close: async () => {
        await api?.close();
      }
    };
  }
};

async function* tapes(ask: Ask, filter: Readonly<Record<string, string>>): AsyncGenerator<ListedBatch> {
  for (let after: string | null = ''; after !== null;) {
    const page = asFields(await ask({ method: 'GET', path: ['tapes'], query: { ...filter, after } }));
    const items = Array.isArray(page?.['tapes']) ? page['tapes'].map((item) => asFields(item) ?? {}) : [];
    yield { items, gap: null, through: null };
    after = asText(page?.['next']);
  }
}
