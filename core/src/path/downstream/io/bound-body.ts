import { ServerUnavailable } from '../errors.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;
const RETURN = 13;

/** How many bytes follow the last blank line of the chunk, or undefined when there is none. */
const afterBlankLine = (chunk: Uint8Array, endedLine: boolean): number | undefined => {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const at = Math.max(bytes.lastIndexOf('\n\n'), bytes.lastIndexOf('\n\r\n'));
  if (at >= 0) return bytes.length - at;
  const startsBlank = bytes[0] === NEWLINE || (bytes[0] === RETURN && bytes[1] === NEWLINE);
  return endedLine && startsBlank ? bytes.length : undefined;
};

/** The same response, of which no message may be larger than 16 MiB: its body fails there. */
export const boundBody = (response: Response): Response => {
  const { body, headers, status, statusText } = response;
  const declared = Number(headers.get('content-length') ?? Number.NaN);
  if (!body || declared <= MAX_BYTES) return response;
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  const reader = body.getReader();
  let size = 0;
  let endedLine = false;
  const counted = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        size = (isStream ? afterBlankLine(value, endedLine) : undefined) ?? size + value.byteLength;
        endedLine = value.at(-1) === NEWLINE;
        if (size <= MAX_BYTES) return controller.enqueue(value);
        const tooLarge = new ServerUnavailable(
          `The server sent a message of more than ${MAX_BYTES / 1024 / 1024} MiB.`,
        );
        await reader.cancel(tooLarge).catch(() => {});
        controller.error(tooLarge);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(counted, { status, statusText, headers });
};
