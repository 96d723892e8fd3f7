/** What tools answer with and send on the way. */
import type { CallToolResult, LoggingLevel, ServerContext } from '@modelcontextprotocol/server';

/** A teal dot and a millisecond of silence. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNgaGgAAAGEAQFocvOPAAAAAElFTkSuQmCC';
export const WAV = 'UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==';

export const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });

/** The value for programs and its text for old clients. */
export const json = (value: Record<string, unknown>): CallToolResult => ({
  ...text(JSON.stringify(value)),
  structuredContent: value,
});

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Sends progress if the client gave a token for it. */
export const progress = async (
  { mcpReq }: ServerContext,
  step: { progress: number; total: number; message: string },
) => {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...step } });
};

/** Logs on the request's own stream, as far as the client wants it. */
export const log = ({ mcpReq }: ServerContext, message: unknown, level: LoggingLevel = 'info') =>
  mcpReq.log(level, message, 'conformance');
