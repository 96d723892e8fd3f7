import { LEGACY } from './messages.ts';
import { mutate } from './mutate.ts';
import { randomFor } from './random.ts';
import { PATIENCE_MS, SEED, type Send } from './run.ts';
import { problemOf } from './well-formed.ts';

type Stream = { messages: string; isOpen: boolean; problem: string | undefined };

/** Opens a stream of the older transport and reads whatever comes on it; what is not well-formed is its problem. */
const openStream = async (url: string, authorization: string): Promise<Stream> => {
  const response = await fetch(`${url}/sse`, { headers: { authorization } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader?.read())?.value ?? '';
  const stream: Stream = { messages: /data: (\S+)/.exec(text)?.[1] ?? '', isOpen: true, problem: undefined };
  const take = (event: string) => {
    const data = /^data: (.*)$/m.exec(event)?.[1];
    if (data === undefined || event.startsWith('event: endpoint')) return;
    stream.problem ??= problemOf({ status: 200, type: 'application/json', text: data, isWhole: true });
  };
  const read = async () => {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      text += chunk.value;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      events.forEach(take);
    }
  };
  void read()
    .catch(() => {})
    .finally(() => {
      stream.isOpen = false;
    });
  return stream;
};

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
};

/** Mutated messages posted to streams of the HTTP+SSE transport, each begun with a proper handshake. */
export const towardsStreams = (url: string, token: string, count: number): Send => {
  const authorization = `Bearer ${token}`;
  const streams: (Stream | undefined)[] = Array.from({ length: count }, () => undefined);

  const post = (messages: string, body: Buffer) =>
    fetch(`${url}${messages}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });

  const streamAt = async (place: number): Promise<Stream> => {
    const held = streams[place];
    if (held?.isOpen) return held;
    const fresh = await openStream(url, authorization);
    streams[place] = fresh;
    await post(fresh.messages, Buffer.from(JSON.stringify(INITIALIZE)));
    return fresh;
  };

  return async (index) => {
    const random = randomFor(SEED, index);
    const stream = await streamAt(index % count);
    const body = mutate(random.pick(LEGACY), random);
    const response = await post(stream.messages, body);
    await response.arrayBuffer();
    const status = response.status < 500 || response.status === 503 ? undefined : `HTTP ${response.status}`;
    const problem = status ?? stream.problem;
    stream.problem = undefined;
    const told = problem && `${problem}\n  ${body.toString('latin1').slice(0, 1_500)}`;
    return { count: 1, problem: told };
  };
};
