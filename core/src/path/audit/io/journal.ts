import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry, Journal } from '../entry.ts';

/** Segment files sort by name in the order they were written. */
export const segmentName = (number: number): string => `${String(number).padStart(10, '0')}.jsonl`;

export const listSegments = async (folder: string): Promise<number[]> =>
  (await readdir(folder))
    .flatMap((name) => (/^\d{10}\.jsonl$/.test(name) ? [Number.parseInt(name, 10)] : []))
    .sort((a, b) => a - b);

type Waiting = { line: Buffer; resolve(): void; reject(error: unknown): void };

type Options = {
  folder: string;
  /** Also wait until the disk has it, not only the operating system. */
  fsync: boolean;
  maxSegmentBytes?: number;
  /** Called after lines have become durable. */
  onAppended?(): void;
};

/** Makes the name of a new file as durable as its content. Windows has no such call, and needs none. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * An append-only journal of JSON lines. Entries that wait at the same time are written in one call. A new process
 * begins a new segment, so that a line torn by a crash is never continued.
 */
export const openJournal = async ({
  folder,
  fsync,
  maxSegmentBytes = DEFAULT_SEGMENT_BYTES,
  onAppended,
}: Options): Promise<Journal & { position(): { segment: number; offset: number }; close(): Promise<void> }> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const create = async (number: number): Promise<FileHandle> => {
    const path = join(folder, segmentName(number));
    const created = await open(path, 'wx', 0o600);
    try {
      if (fsync) await syncFolder(folder);
      return created;
    } catch (error) {
      await created.close().catch(() => {});
      await unlink(path).catch(() => {});
      throw error;
    }
  };
  let segment = ((await listSegments(folder)).at(-1) ?? 0) + 1;
  let file = await create(segment);
  let size = 0;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  const rotate = async (): Promise<void> => {
    const full = file;
    file = await create(segment + 1);
    segment += 1;
    size = 0;
    await full.close();
  };

  /** After a failed write the file may end in half a line: cut it back to the last whole one. */
  const writeGroup = async (group: readonly Waiting[]): Promise<void> => {
    const bytes = Buffer.concat(group.map(({ line }) => line));
    try {
      if (size > 0 && size + bytes.length > maxSegmentBytes) await rotate();
      for (let done = 0; done < bytes.length; )
        done += (await file.write(bytes, done, bytes.length - done, size + done)).bytesWritten;
      if (fsync) await file.datasync();
    } catch (error) {
      await file.truncate(size).catch(() => {});
      throw error;
    }
    size += bytes.length;
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await writeGroup(group);
        for (const { resolve } of group) resolve();
        onAppended?.();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = undefined;
  };

  return {
    append: (entry: Entry) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ line: Buffer.from(`${JSON.stringify(entry)}\n`), resolve, reject });
        writing ??= Promise.resolve().then(drain);
      }),
    /** Where the next line will go: everything before it is durable. */
    position: () => ({ segment, offset: size }),
    async close() {
      await writing;
      await file.close();
    },
  };
};
