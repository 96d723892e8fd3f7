/** Hands numbers back with the digits that they came with, and shows which line it was sent. */
import { servePlain, text, tool } from './plain-stdio.ts';

const write = (line: string) => process.stdout.write(`${line}\n`);

servePlain(
  () => ['digits', 'twice'].map(tool),
  ({ id, params }, line) => {
    const start = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
    const sent = JSON.stringify(text(line)).slice(1);
    if (params?.name === 'twice') {
      write(`${start}{"content":[],"content":[{"type":"text","text":"the second of two"}]}}`);
      return { result: text('unambiguous') };
    }
    const digits = /"n":([-+.\deE]+)/.exec(line)?.[1] ?? 'null';
    const token = /"progressToken":("[^"]*"|\d+)/.exec(line)?.[1];
    if (token !== undefined)
      write(
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":0.50,"total":1.0}}`,
      );
    write(`${start}{"structuredContent":{"n":${digits},"deep":[{"n":${digits}}]},${sent}}`);
    return undefined;
  },
);
