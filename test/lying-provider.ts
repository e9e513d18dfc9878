import { generateKeyPair } from '@libp2p/crypto/keys';
import { encode } from '@ipld/dag-cbor';
import type { Libp2p, PrivateKey } from '@libp2p/interface';
import { onTestFinished } from 'vitest';
import { createNode } from '../provider/node/index.ts';
import {
  dagCborCid,
  decodeRequest,
  encodeInput,
  encodeReply,
  FRAME_BYTES_MAX,
  FrameReader,
  FrameWriter,
  price,
  rawCid,
  sealReceipts,
  sealTariff,
  taskCid,
  WORKSWAP_PROTOCOL,
  type Receipt,
  type TaskLimits,
} from '../sdk/protocol/index.ts';
import { LISTEN } from './fixtures.ts';

export const RATES = {
  job: 8192,
  compile: 30 * 1024,
  input: 1024,
  output: 1024,
  read: 1024,
  write: 1024,
  fuel: 100_000_000,
  memory: 0,
};

/** Makes the bytes of the receipt that goes out, from the one that an honest provider would send. */
export type Lie = (honest: Receipt, key: PrivateKey, limits: TaskLimits) => Uint8Array;

export function sealOne(receipt: Receipt, key: PrivateKey): Uint8Array {
  return sealReceipts([receipt], key)[0]!.bytes;
}

/** A provider that answers every task with the same words, and with whatever receipt it likes. */
export async function lyingProvider(lie: Lie): Promise<Libp2p> {
  const key = await generateKeyPair('Ed25519');
  const limits = { connectionsMax: 100, connectionRatePerHostMax: 100, streamsPerConnectionMax: 100 };
  const libp2p = await createNode({ privateKey: key, listen: [LISTEN], ...limits });
  await libp2p.start();
  onTestFinished(() => libp2p.stop());
  const tariff = await sealTariff(RATES, key);
  const head = encode({ status: 200, headers: {} });
  const body = new TextEncoder().encode('fine');
  await libp2p.handle(WORKSWAP_PROTOCOL, (stream, connection) => {
    const consumer = connection.remotePeer.toString();
    const writer = new FrameWriter(stream, (error) => stream.abort(error));
    const reader = new FrameReader(FRAME_BYTES_MAX);
    writer.write(encodeReply({ id: 0, tariff: Uint8Array.from(tariff.bytes) }));
    stream.addEventListener('message', ({ data }) =>
      reader.push(data, (frame) => {
        const request = decodeRequest(frame);
        if (request.kind !== 'task') return;
        const input = encodeInput(request.request, consumer);
        const inputCid = dagCborCid(input);
        const usage = {
          compiledBytes: 0,
          inputBytes: input.length,
          outputBytes: head.length + body.length,
          readBytes: 0,
          writtenBytes: 0,
          fuel: 1_000_000,
          memoryPagesPeak: 1,
        };
        const honest: Receipt = {
          task: taskCid({ handler: request.handler, input: inputCid, limits: request.limits }),
          handler: request.handler,
          input: inputCid,
          output: rawCid(Buffer.concat([head, body])),
          usage,
          priceBytes: price(RATES, usage),
          tariff: tariff.cid,
          meterVersion: '2+abi.2',
          provider: libp2p.peerId.toString(),
          consumer,
        };
        const receipt = Uint8Array.from(lie(honest, key, request.limits));
        const credit = { balance: 0, limit: 0 };
        writer.write(encodeReply({ id: request.id, head: Uint8Array.from(head), body, end: { receipt, credit } }));
      }),
    );
  });
  return libp2p;
}
