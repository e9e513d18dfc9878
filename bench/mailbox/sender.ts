import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { createConsumer } from '../../provider/consumer.ts';
import { MailboxClient } from '../../provider/mailbox/index.ts';

/**
 * A sender as a process of its own: `node sender.ts PROVIDER ADDR`. For each line
 * `RECIPIENT COUNT BYTES DEPTH` it puts so many messages and prints the seconds that it took. The first 8 bytes of a body say
 * when it was sent, in microseconds of the machine's clock.
 */
const [peer, addr] = process.argv.slice(2) as [string, string];
const consumer = await createConsumer();
const client = new MailboxClient(consumer);
for await (const line of createInterface({ input: process.stdin })) {
  const [to, ...numbers] = line.split(' ') as [string, string, string, string];
  const [count, bytes, depth] = numbers.map(Number) as [number, number, number];
  const endpoint = await client.at({ peer, addrs: [addr] });
  let sent = 0;
  const work = async (): Promise<void> => {
    while (sent < count) {
      sent++;
      const body = Buffer.alloc(bytes, 'x');
      body.writeDoubleBE(performance.timeOrigin + performance.now());
      await endpoint.put(to, randomBytes(16), body);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: depth }, work));
  console.log((performance.now() - startMs) / 1000);
}
