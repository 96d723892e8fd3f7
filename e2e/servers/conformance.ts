/**
 * A server with all that the conformance suite and our own tests ask for, in both eras. `--stdio` speaks over standard
 * streams, else Streamable HTTP on PORT (default: a free one), with its address as the first line. `--era legacy` and
 * `--era modern` leave the other era out. `--record FILE` writes down what reaches the server, one JSON value a line.
 */
import { parseArgs } from 'node:util';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { serveHttp } from './conformance/http.ts';
import { createRecord } from './conformance/record.ts';
import { createFixture } from './conformance/server.ts';
import { ListeningStdio } from './conformance/tasks/listening-stdio.ts';
import { createWorld } from './conformance/world.ts';

const { values } = parseArgs({
  options: { stdio: { type: 'boolean' }, era: { type: 'string' }, record: { type: 'string' } },
});
const eras = z.enum(['both', 'legacy', 'modern']).parse(values.era ?? 'both');

const world = createWorld(createRecord(values.record));
if (!values.stdio) serveHttp(world, eras);
else if (eras === 'legacy') await createFixture(world, 'legacy').connect(new StdioServerTransport());
else
  serveStdio(({ era }) => createFixture(world, era), {
    transport: new ListeningStdio(world.tasks),
    legacy: eras === 'modern' ? 'reject' : 'serve',
    onerror: (error) => console.error(error),
  });
