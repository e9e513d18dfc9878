import { once } from 'node:events';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import type { Command } from 'commander';
import type { Consumer } from '../consumer.ts';
import { CONFIG_FILE, parseConfig, readConfigFile } from '../config.ts';
import { checkPeerAddress } from './addresses.ts';
import { errorJson } from './errors.ts';
import { addConsumerFlags, interruptSignal, openConsumer, type ConsumerFlags } from './session.ts';

interface GatewayFlags extends ConsumerFlags {
  listen?: string;
  peer: string[];
  service?: string;
  mail?: string;
  json?: boolean;
}

const DEFAULT_LISTEN = '127.0.0.1:8080';
const DIAL_TIMEOUT_MS = 10_000;

export function addGateway(program: Command): Command {
  const command = program
    .command('gateway')
    .description(
      "Serve services and content of IPFS over HTTP: http://NAME.localhost:PORT/. Needs no provider of one's own.",
    );
  return addConsumerFlags(command)
    .option(
      '--listen <HOST:PORT>',
      `where to serve; default: listen in [gateway] of ${CONFIG_FILE}, else ${DEFAULT_LISTEN}`,
    )
    .option(
      '--peer <ADDR>',
      'multiaddr of a peer to ask for names and blocks, ending in /p2p/PEER-ID; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option('--service <NAME>', 'serve this service at the root of the main host as well')
    .option(
      '--mail <HOST:PORT>',
      'also serve your own mail as a page there; the printed address has a token that opens it',
    )
    .option('--json', 'one JSON event a line; the first is {"event":"ready","gateway","peerId"}')
    .addHelpText(
      'after',
      `
Examples:
  workswap gateway --peer /ip4/127.0.0.1/tcp/4771/p2p/12D3KooW...
  curl http://127.0.0.1:8080/workswap/k51.../               a service by its name, at a path
  curl 'http://127.0.0.1:8080/ipfs/bafy...?format=car'      content with its proof
  workswap gateway --mail 127.0.0.1:8081                    your mail in a browser
  workswap gateway --listen 127.0.0.1:0 --service k51... --peer ADDR --json`,
    )
    .action(serve);
}

async function serve(flags: GatewayFlags): Promise<void> {
  for (const peer of flags.peer) checkPeerAddress('--peer', peer);
  const path = join(flags.home, CONFIG_FILE);
  const { gateway: config } = parseConfig((await readConfigFile(path)) ?? {}, path);
  const listen = flags.listen ?? (config.listen === '' ? DEFAULT_LISTEN : config.listen);
  const stopping = interruptSignal();
  const print = flags.json === true ? printEvent : printLine;
  const onError = (error: unknown): void => print({ event: 'error', error: errorJson(error) });
  const consumer = await openConsumer(flags, { contacts: flags.peer });
  const { startGateway } = await import('../gateway/index.ts');
  try {
    const service = flags.service === undefined ? {} : { service: flags.service };
    const gateway = await startGateway(consumer, { ...config, ...service, listen }, onError);
    await Promise.all(
      flags.peer.map((peer) =>
        consumer.libp2p.dial(multiaddr(peer), { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) }).catch(onError),
      ),
    );
    const page = flags.mail === undefined ? undefined : await openMailPage(consumer, flags.home, flags.mail, onError);
    const mail = page === undefined ? {} : { mail: page.url };
    print({ event: 'ready', gateway: gateway.url, peerId: consumer.libp2p.peerId.toString(), ...mail });
    if (!stopping.aborted) await once(stopping, 'abort');
    print({ event: 'stopping' });
    await page?.stop();
    await gateway.stop();
  } finally {
    await consumer.stop();
  }
  print({ event: 'stopped' });
}

/** Own mail: taken as it comes, and shown at an address of its own. */
async function openMailPage(
  node: Consumer,
  dataDir: string,
  listen: string,
  onError: (error: unknown) => void,
): Promise<{ url: string; stop(): Promise<void> }> {
  const [{ openMail, sayRunning, sayStopped }, { startMailPage }] = await Promise.all([
    import('../mail/index.ts'),
    import('../gateway/mail/index.ts'),
  ]);
  const mail = await openMail({ node, dataDir, onError });
  const page = await startMailPage(mail, listen, onError).catch(async (error: unknown) => {
    await mail.close();
    throw error;
  });
  await mail.follow();
  // From here on the commands ask us.
  await sayRunning(dataDir, mail.address, { url: page.local, token: page.token });
  return {
    url: page.url,
    async stop() {
      await sayStopped(dataDir, mail.address);
      await page.stop();
      await mail.close();
    },
  };
}

type Event = { event: string } & Record<string, unknown>;

function printEvent(event: Event): void {
  console.log(JSON.stringify(event));
}

function printLine({ event, ...fields }: Event): void {
  if (event === 'ready') {
    if (fields['mail'] !== undefined) console.log(`Mail: ${String(fields['mail'])}`);
    console.log(`Gateway: ${String(fields['gateway'])} (Ctrl-C stops it)`);
  } else if (event === 'stopping') console.log('\nStopping ...');
  else if (event === 'error') process.stderr.write(`workswap: ${JSON.stringify(fields['error'])}\n`);
}
