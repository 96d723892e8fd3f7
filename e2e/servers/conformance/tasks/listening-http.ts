/** Listening to tasks over HTTP. */
import { acknowledged, follow, known, refusal, type Wish, wishOf } from './listening.ts';
import type { Tasks } from './tasks.ts';

type Fetch = (request: Request) => Promise<Response>;

/** Answers requests to listen to tasks over HTTP. */
export const listeningHttp =
  (tasks: Tasks, fetch: Fetch): Fetch =>
  async (request) => {
    if (request.headers.get('mcp-method') !== 'subscriptions/listen') return fetch(request);
    const wish = wishOf(await readJson(request.clone()));
    if (!wish) return fetch(request);
    if (!wish.isAllowed) return Response.json(refusal(wish), { status: 400 });
    const response = await fetch(new Request(request, { body: JSON.stringify(wish.request) }));
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    return isStream && response.body ? new Response(merged(response.body, tasks, wish), response) : response;
  };

/** The SDK's frames, the first one changed, and ours between them. */
const merged = (source: ReadableStream<Uint8Array>, tasks: Tasks, wish: Wish) => {
  const reader = source.getReader();
  const encode = (message: object) => new TextEncoder().encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  let leave = () => {};
  return new ReadableStream<Uint8Array>({
    start: async (controller) => {
      const first = await reader.read();
      const data = /^data: (.*)$/m.exec(new TextDecoder().decode(first.value))?.[1] ?? '{}';
      controller.enqueue(encode(acknowledged(JSON.parse(data), known(tasks, wish))));
      leave = follow(tasks, wish, (notification) => controller.enqueue(encode(notification)));
    },
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (value) controller.enqueue(value);
      if (!done) return;
      leave();
      controller.close();
    },
    cancel: (reason) => {
      leave();
      return reader.cancel(reason);
    },
  });
};

const readJson = (request: Request): Promise<unknown> => request.json().catch(() => undefined);
