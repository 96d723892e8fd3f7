/** Answers with JSON-RPC that is none, each tool in its own way; then it can still be called. */
import { servePlain, text, tool } from './plain-stdio.ts';

const write = (line: string, then?: () => void) => process.stdout.write(`${line}\n`, then);
const answer = (id: unknown, rest: string) => write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},${rest}}`);

const STORM = [
  '{"jsonrpc":"2.0","method":7}',
  '{"jsonrpc":"2.0","id":{},"result":{}}',
  '{"jsonrpc":"2.0","id":null,"error":null}',
  '{"jsonrpc":"2.0","id":[],"method":"ping","params":5}',
  '{"jsonrpc":"2.0","method":"notifications/progress","params":null}',
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{}}}',
  '{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":"x"}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled"}',
  '{"jsonrpc":"2.0","method":"__proto__"}',
];

const tricks: Record<string, (id: unknown) => void> = {
  'null-error': (id) => answer(id, '"error":null'),
  'wordless-error': (id) => answer(id, '"error":{"code":"x"}'),
  'boundless-code': (id) => answer(id, '"error":{"code":1e400,"message":"x"}'),
  'number-result': (id) => answer(id, '"result":7'),
  'no-result': (id) => answer(id, '"other":{}'),
  'progress-unasked': (id) => {
    write(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${JSON.stringify(id)},"progress":1}}`,
    );
    answer(id, '"result":{}');
  },
  storm: (id) => {
    for (const line of STORM) write(line);
    answer(id, `"result":${JSON.stringify(text('weathered'))}`);
  },
  /** A line of 17 MiB without an end. */
  'long-line': () => void process.stdout.write('x'.repeat(17 * 1024 * 1024)),
  /** Answers and ends. */
  'last-words': (id) =>
    write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(text('y'.repeat(4_000_000)))}}`, () =>
      process.exit(0),
    ),
};

servePlain(
  () => Object.keys(tricks).map(tool),
  ({ id, params }) => void tricks[String(params?.name)]?.(id),
);
