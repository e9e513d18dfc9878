import { Command, CommanderError } from 'commander';
import { exitCodeOf, printError } from './errors.ts';

/** One file per command. Only the file of the command that is asked for is loaded: some bring half of libp2p. */
const COMMANDS: Record<string, () => Promise<(program: Command) => Command>> = {
  provider: async () => (await import('./provider.ts')).addProvider,
  call: async () => (await import('./call.ts')).addCall,
  gateway: async () => (await import('./gateway.ts')).addGateway,
  quote: async () => (await import('./quote.ts')).addQuote,
  verify: async () => (await import('./verify.ts')).addVerify,
  ledger: async () => (await import('./ledger.ts')).addLedger,
  new: async () => (await import('./new.ts')).addNew,
  dev: async () => (await import('./dev.ts')).addDev,
  run: async () => (await import('./run.ts')).addRun,
  build: async () => (await import('./build.ts')).addBuild,
  test: async () => (await import('./test.ts')).addTest,
  service: async () => (await import('./service.ts')).addService,
  pin: async () => (await import('./pin.ts')).addPin,
  mail: async () => (await import('./mail.ts')).addMail,
  message: async () => (await import('./message.ts')).addMessage,
  publish: async () => (await import('./publish.ts')).addPublish,
  meter: async () => (await import('./meter.ts')).addMeter,
  calibrate: async () => (await import('./calibrate.ts')).addCalibrate,
  demo: async () => (await import('./demo.ts')).addDemo,
};

export async function main(argv: string[]): Promise<void> {
  const program = new Command('workswap')
    .description('Run WASM handlers for other peers and pay each other in Bitswap bytes.')
    .version('0.1.0')
    .showHelpAfterError('(workswap COMMAND --help shows examples)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  workswap provider                                     host compute; prints the address to call
  workswap new guestbook --template guestbook           a project to start from; then: workswap dev guestbook
  workswap build hello.ts -o hello.wasm                 compile a handler
  workswap run hello.wasm --path '/?name=Ada'           try it here, without a network
  workswap call ADDRESS hello.wasm --path '/?name=Ada'  run it at a provider, pay in bytes
  workswap ledger                                       who owes whom

Exit codes: 0 ok, 1 failed or mismatch, 2 usage, 3 over credit, 4 the handler's fault, 5 no provider reachable.`,
    );
  for (const load of neededFor(argv[2])) {
    const add = await load();
    add(program).exitOverride().showHelpAfterError('(--help shows examples)');
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      printError(error, argv.includes('--json'));
      process.exitCode = exitCodeOf(error);
    }
  }
}

/** The help of everything needs every command. */
function neededFor(word: string | undefined): (typeof COMMANDS)[string][] {
  if (word === '--version' || word === '-V') return [];
  const command = Object.entries(COMMANDS).find(([name]) => name === word);
  return command === undefined ? Object.values(COMMANDS) : [command[1]];
}
