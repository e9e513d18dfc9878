import { crc32 } from 'node:zlib';
import { normalizeRequest } from '../../../sdk/client/index.ts';
import type { CallRequest } from '../../../sdk/client/index.ts';
import { encodeInput, rawCid } from '../../../sdk/protocol/index.ts';
import { meter } from '../../../provider/metering/index.ts';
import { typesOf } from '../../../provider/metering/testing/cases.ts';
import type { Case, HostCall } from '../../../provider/metering/testing/cases.ts';
import { compileModule } from '../../../provider/modules/index.ts';
import { createNodeHost } from '../../../provider/sandbox/index.ts';
import type { LoadedModule, Outcome } from '../../../provider/sandbox/index.ts';
import { Engine } from '../../../provider/sandbox/engine/engine.ts';
import { InstanceCache } from '../../../provider/sandbox/engine/instance-cache.ts';
import type { Instance } from '../../../provider/sandbox/engine/instance.ts';

type HostFunction = (...args: (number | bigint)[]) => number | bigint | undefined;

/** Hands out instances whose imports write down what they are asked and what they do. */
class RecordingInstances extends InstanceCache {
  readonly calls: HostCall[] = [];
  private instance: Instance | undefined;

  constructor() {
    super(0);
  }

  override take(loaded: LoadedModule, imports: WebAssembly.Imports): Instance {
    const recording: WebAssembly.Imports = {};
    for (const [module, functions] of Object.entries(imports)) {
      const from: WebAssembly.ModuleImports = (recording[module] = {});
      for (const [name, call] of Object.entries(functions)) from[name] = this.record(name, call as HostFunction);
    }
    return (this.instance = super.take(loaded, recording));
  }

  private record(name: string, call: HostFunction): HostFunction {
    return (...args) => {
      const { memory, fuel } = this.instance as Instance;
      const before = Buffer.from(new Uint8Array(memory.buffer));
      const fuelBefore = fuel.value;
      const result = call(...args);
      this.calls.push({
        name,
        args: args.map(String),
        memoryCrc: crc32(before),
        results: result === undefined ? [] : [String(result)],
        fuelTaken: String(fuelBefore - fuel.value),
        writes: changes(before, Buffer.from(memory.buffer)),
      });
      return result;
    };
  }
}

/** Where memory changed: one range, which is what every host call writes. */
function changes(before: Buffer, after: Buffer): HostCall['writes'] {
  let first = 0;
  let last = after.length;
  while (first < last && before[first] === after[first]) first++;
  while (last > first && before[last - 1] === after[last - 1]) last--;
  return first === last ? [] : [[first, after.subarray(first, last).toString('base64')]];
}

/** What a recorded handler may burn in all. */
export const FUEL_MAX = 2_000_000_000;

/** Runs a handler in the sandbox's engine, and makes of it a case that other engines can run without a host. */
export function recordHandler(
  name: string,
  wasm: Uint8Array,
  request: CallRequest,
  files: ReadonlyMap<string, Uint8Array>,
): { outcome: Outcome; recorded: Case } {
  const fileOf = (cid: Uint8Array): Uint8Array => files.get(Buffer.from(cid).toString('hex')) ?? new Uint8Array(0);
  const host = createNodeHost({
    readFile: (cid, offset, length) => fileOf(cid).subarray(offset, offset + length),
    fileSize: (cid) => fileOf(cid).length,
  });
  const instances = new RecordingInstances();
  const { seed, timeMs, ...job } = normalizeRequest(request);
  const module = { ...compileModule(wasm), cid: rawCid(wasm).toString() };
  const outcome = new Engine(host, instances).run({
    module,
    input: encodeInput({ seed, timeMs, ...job }, 'test'),
    seed,
    timeMs,
    limits: { fuelMax: FUEL_MAX, memoryPagesMax: 1024, outputBytesMax: 64 * 1024 * 1024, timeoutMs: 60_000 },
  });
  const metered = meter(wasm);
  const recorded: Case = {
    name,
    wasm: Buffer.from(metered.bytes).toString('base64'),
    // Setting the instance up is the host's, before the module burns anything.
    fuel: String(FUEL_MAX - module.setupFuel),
    imports: metered.imports.map((entry) => ({
      module: entry.module,
      name: entry.name,
      results: typesOf(entry.results),
    })),
    calls: [{ export: 'handle', args: [], results: [] }],
    replay: instances.calls,
  };
  return { outcome, recorded };
}
