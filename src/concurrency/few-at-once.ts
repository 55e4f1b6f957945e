/**
 * As `Promise.all(items.map(task))`, with so many begun at once at most: what waits costs time that grows with the
 * square of its number, in lists of listeners and in sums over all that is under way.
 *
 * @throws what the first task throws that fails; no other one is begun then
 */
export async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  most: number,
  task: (item: Item) => Promise<Result>
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  let hasFailed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (hasFailed) return;
      try {
        results[index] = await task(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  return results;
}
