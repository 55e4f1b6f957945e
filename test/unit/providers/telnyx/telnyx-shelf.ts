import type { Ask } from '../../../../src/providers/http/patient-request';

export interface Shelved {
  id: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** `GET /v2/recordings` in memory: newest first, filtered by creation time, in numbered pages. */
export class TelnyxShelf {
  /** Oldest first. */
  recordings: Shelved[] = [];
  requests: Readonly<Record<string, string>>[] = [];
  /** Called before each response; may change the shelf, or throw like the API client. */
  before: (request: number, query: Readonly<Record<string, string>>) => void = () => undefined;
  honoursTimes = true;

  constructor(count: number, createdAt: (index: number) => number) {
    this.recordings = Array.from({ length: count }, (_value, index) => ({
      id: `rec-${index}`,
      createdAt: createdAt(index)
    })).sort((a, b) => a.createdAt - b.createdAt);
  }

  readonly ask: Ask = ({ query = {} }) => {
    this.requests.push(query);
    this.before(this.requests.length, query);
    const number = Number(query['page[number]']);
    const size = Number(query['page[size]']);
    const gte = this.honoursTimes ? Date.parse(query['filter[created_at][gte]'] ?? '1970-01-01') : -Infinity;
    const lte = this.honoursTimes ? Date.parse(query['filter[created_at][lte]'] ?? '9999-01-01') : Infinity;
    const start = this.#firstAt(gte);
    const end = this.#firstAt(lte + 1);
    const total = end - start;
    const upper = Math.max(start, end - (number - 1) * size);
    const page = this.recordings.slice(Math.max(start, upper - size), upper).reverse();
    return Promise.resolve({
      data: page.map(({ id, createdAt }) => ({
        record_type: 'recording',
        id,
        status: 'completed',
        created_at: new Date(createdAt).toISOString()
      })),
      meta: {
        page_number: number,
        page_size: size,
        total_pages: Math.ceil(total / size),
        total_results: total
      }
    });
  };

  add(recording: Shelved): void {
    this.recordings.splice(this.#firstAt(recording.createdAt), 0, recording);
  }

  remove(id: string): void {
    this.recordings = this.recordings.filter((recording) => recording.id !== id);
  }

  #firstAt(time: number): number {
    let [low, high] = [0, this.recordings.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.recordings[middle]!.createdAt < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
