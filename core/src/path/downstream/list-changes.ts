import type { Client, ClientOptions, SubscriptionFilter } from '@modelcontextprotocol/client';
import { backoffMs, sleep } from '#lib/sleep';

export type ListKind = 'tools' | 'resources' | 'prompts';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const STEADY_MS = 10_000;
const DEBOUNCE_MS = 50;

/** What the SDK's client is to do when a server says that a list changed: tell us, and fetch nothing. */
export const whenListChanges = (tell: (kind: ListKind) => void): NonNullable<ClientOptions['listChanged']> => {
  const told = (kind: ListKind) => ({
    autoRefresh: false as const,
    debounceMs: DEBOUNCE_MS,
    onChanged: () => tell(kind),
  });
  return { tools: told('tools'), resources: told('resources'), prompts: told('prompts') };
};

/** The changes of lists that the server says it tells of. */
export const listChangesOf = (client: Client): SubscriptionFilter => {
  const { tools, prompts, resources } = client.getServerCapabilities() ?? {};
  return {
    ...(tools?.listChanged && { toolsListChanged: true }),
    ...(prompts?.listChanged && { promptsListChanged: true }),
    ...(resources?.listChanged && { resourcesListChanged: true }),
  };
};

/**
 * Subscribes a modern connection to what `filter` names again and again until `signal` aborts, as a stream does not last.
 * `first` is a subscription that is open already. `onMissed` is called after each gap, in which anything may have changed.
 */
export const keepSubscribed = async (
  client: Pick<Client, 'listen'>,
  filter: SubscriptionFilter,
  signal: AbortSignal,
  onMissed: () => void,
  first?: { closed: Promise<unknown> } | undefined,
): Promise<void> => {
  if (Object.keys(filter).length === 0) return;
  let subscription = first;
  for (let failures = 0; !signal.aborted; ) {
    const since = Date.now();
    // Closing the connection closes the subscription too.
    await subscription?.closed;
    failures = Date.now() - since > STEADY_MS ? 0 : failures + 1;
    await sleep(backoffMs(Math.max(0, failures - 1), FIRST_RETRY_MS, MAX_RETRY_MS), signal);
    if (signal.aborted) return;
    subscription = await client.listen(filter, { signal }).catch(() => undefined);
    if (subscription) onMissed();
  }
};
