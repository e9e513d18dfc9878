import { parentPort } from 'node:worker_threads';
import { writeBlockFileSync } from './block-file.ts';
import type { BlockToWrite, WriteAnswers } from './block-writer.ts';

parentPort?.on('message', (batch: BlockToWrite[]) => {
  const answers: WriteAnswers = batch.map(write);
  parentPort?.postMessage(answers);
});

function write({ path, bytes }: BlockToWrite): string | undefined {
  try {
    writeBlockFileSync(path, bytes);
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    // Not when V8 finds it: there are hundreds of MB a second.
    bytes.buffer.transfer(0);
  }
}
