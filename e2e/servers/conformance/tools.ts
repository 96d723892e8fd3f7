/** Tools that ask nothing: contents, errors, progress, log lines, schemas, a stream that is cut. */
import { fromJsonSchema } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { json, log, PNG, pause, progress, text, WAV } from './say.ts';
import { ADDRESS_BOOK, PLACE } from './schemas.ts';
import type { Fixture } from './server.ts';

const STEP_MS = 50;
/** Long enough for a gateway to open a stream of its own, to which its client can come back. */
const LONG_MS = 1_500;
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' };
const embedded = (uri: string, mimeType: string, value: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: value },
});

/** Tools without arguments that always return the same. */
const constant = {
  test_simple_text: text('This is a simple text response for testing.'),
  test_image_content: { content: [image] },
  test_audio_content: { content: [{ type: 'audio' as const, data: WAV, mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  },
  test_multiple_content_types: {
    content: [
      { type: 'text' as const, text: 'Multiple content types test:' },
      image,
      embedded('test://mixed-content-resource', 'application/json', JSON.stringify({ test: 'data', value: 123 })),
    ],
  },
  test_streaming_elicitation: text('asked nobody'),
};

export const addTools = (fixture: Fixture) => {
  for (const [name, result] of Object.entries(constant))
    fixture.server.registerTool(name, { description: 'Returns the same contents always' }, () => result);
  addSchemaTools(fixture);
  addTalkingTools(fixture);
  fixture.server.registerTool('test_error_handling', { description: 'Fails always' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
};

const addSchemaTools = ({ server }: Fixture) => {
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema with keywords of 2020-12', inputSchema: fromJsonSchema<object>(ADDRESS_BOOK) },
    (entry) => json({ entry }),
  );
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Wants its arguments in headers too', inputSchema: fromJsonSchema<object>(PLACE) },
    (place) => json({ place }),
  );
};

const addTalkingTools = ({ server }: Fixture) => {
  server.registerTool('test_tool_with_logging', { description: 'Logs three lines' }, async (ctx) => {
    await log(ctx, 'Tool execution started');
    await pause(STEP_MS);
    await log(ctx, 'Tool processing data');
    await pause(STEP_MS);
    await log(ctx, 'Tool execution completed');
    return text('logged');
  });
  server.registerTool('test_logging_tool', { description: 'Logs a line if the client wants it' }, async (ctx) => {
    await log(ctx, 'a line');
    return text('logged');
  });
  server.registerTool(
    'log_lines',
    {
      description: 'Logs n lines, each with the marker',
      inputSchema: z.object({
        n: z.int().min(0).max(10_000),
        marker: z.string(),
        level: z.enum(LEVELS).default('info'),
      }),
    },
    async ({ n, marker, level }, ctx) => {
      for (let line = 1; line <= n; line += 1) await log(ctx, { marker, line }, level);
      return json({ marker, lines: n });
    },
  );
  server.registerTool('test_tool_with_progress', { description: 'Reports progress in three steps' }, async (ctx) => {
    for (const done of [0, 50, 100]) {
      await progress(ctx, { progress: done, total: 100, message: `${done} of 100` });
      await pause(STEP_MS);
    }
    return text('done');
  });
  server.registerTool('test_reconnection', { description: 'Cuts its stream, then answers' }, async (ctx) => {
    ctx.http?.closeSSE?.();
    await pause(LONG_MS);
    return text('answered after the stream was cut');
  });
};
