import { Command, CommanderError } from 'commander';
import { addBuild } from './build.ts';
import { addCalibrate } from './calibrate.ts';
import { addCall } from './call.ts';
import { exitCodeOf, printError } from './errors.ts';
import { addLedger } from './ledger.ts';
import { addMeter } from './meter.ts';
import { addProvider } from './provider.ts';
import { addPublish } from './publish.ts';
import { addQuote } from './quote.ts';
import { addRun } from './run.ts';
import { addVerify } from './verify.ts';

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
  workswap build hello.ts -o hello.wasm                 compile a handler
  workswap run hello.wasm --path '/?name=Ada'           try it here, without a network
  workswap call ADDRESS hello.wasm --path '/?name=Ada'  run it at a provider, pay in bytes
  workswap ledger                                       who owes whom

Exit codes: 0 ok, 1 failed or mismatch, 2 usage, 3 over credit, 4 the handler's fault, 5 no provider reachable.`,
    );
  for (const add of [
    addProvider,
    addCall,
    addQuote,
    addVerify,
    addLedger,
    addRun,
    addBuild,
    addPublish,
    addMeter,
    addCalibrate,
  ]) {
    add(program).exitOverride();
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      const json = argv.includes('--json');
      printError(error, json);
      process.exitCode = exitCodeOf(error);
    }
  }
}
