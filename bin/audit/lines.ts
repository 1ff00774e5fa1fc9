/**
 * The lines of an audit, from wherever it is kept: the server's file, one that was rotated and compressed, standard input, or the raw part
 * of the archive, which is what CloudWatch Logs handed to Firehose (CloudWatch Logs user guide, "Subscription filters with Firehose").
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Files below a folder, in the order of their names; a file stands for itself, `-` for standard input. */
export async function filesOf(path: string): Promise<string[]> {
  if (path === '-' || !(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The lines of one file. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = await unpacked(file === '-' ? process.stdin : createReadStream(file));
  stream.setEncoding('utf8');
  let text = '';
  let enveloped: boolean | undefined;
  for await (const chunk of stream) {
    text += chunk;
    enveloped ??= text.length < ENVELOPE.length ? undefined : text.startsWith(ENVELOPE);
    if (enveloped) {
      const { documents, rest } = documentsIn(text);
      text = rest;
      for (const document of documents) yield* messagesOf(document);
    } else if (enveloped === false) {
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  }
  if (text.trim() !== '') yield text;
}

const ENVELOPE = '{"messageType":';

/** Gzip is known by its first bytes (RFC 1952), whatever the file is called; several members may follow each other. */
async function unpacked(stream: Readable): Promise<Readable> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const first = chunk as Buffer;
    stream.unshift(first);
    return first[0] === 0x1f && first[1] === 0x8b ? stream.pipe(createGunzip()) : stream;
  }
  return stream;
}

/** CloudWatch Logs puts its documents one after the other, with nothing between them. */
function documentsIn(text: string): { documents: string[]; rest: string } {
  const documents: string[] = [];
  let [start, depth, quoted] = [0, 0, false];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted) {
      if (character === '\\') index += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{') depth += 1;
    else if (character === '}' && --depth === 0) {
      documents.push(text.slice(start, index + 1));
      start = index + 1;
    }
  }
  return { documents, rest: text.slice(start) };
}

function messagesOf(document: string): string[] {
  const { messageType, logEvents } = JSON.parse(document) as { messageType: string; logEvents: { message: string }[] };
  // CloudWatch Logs asks with a CONTROL_MESSAGE whether somebody is there.
  return messageType === 'DATA_MESSAGE' ? logEvents.map(({ message }) => message) : [];
}
