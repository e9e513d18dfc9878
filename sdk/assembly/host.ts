/**
 * The host ABI, version 5, exactly as a provider links it. Everything else in this folder is comfort on top of these
 * calls; a handler in another language needs nothing but them (docs/handlers.md describes them in full).
 */

@external("workswap", "input_size")
export declare function inputSize(): i32;

@external("workswap", "input_read")
export declare function inputRead(dst: usize, offset: i32, length: i32): i32;

@external("workswap", "output_write")
export declare function outputWrite(src: usize, length: i32): void;

@external("workswap", "block_read")
export declare function blockRead(cid: usize, cidLength: i32, offset: i64, dst: usize, length: i32): i32;

@external("workswap", "block_size")
export declare function blockSize(cid: usize, cidLength: i32): i64;

@external("workswap", "log")
export declare function hostLog(level: i32, src: usize, length: i32): void;

@external("workswap", "fail")
export declare function hostFail(src: usize, length: i32): void;

@external("workswap", "time_ms")
export declare function timeMs(): i64;

@external("workswap", "random")
export declare function hostRandom(dst: usize, length: i32): void;

@external("workswap", "sha256")
export declare function hostSha256(src: usize, length: i32, dst: usize): void;

@external("workswap", "ed25519_verify")
export declare function hostEd25519Verify(key: usize, message: usize, messageLength: i32, signature: usize): i32;

@external("workswap", "state_stat")
export declare function stateStat(path: usize, pathLength: i32): i64;

@external("workswap", "state_read")
export declare function stateRead(path: usize, pathLength: i32, offset: i64, dst: usize, length: i32): i32;

@external("workswap", "state_write")
export declare function stateWrite(path: usize, pathLength: i32, src: usize, length: i32): void;

@external("workswap", "state_remove")
export declare function stateRemove(path: usize, pathLength: i32): i32;

@external("workswap", "state_list")
export declare function stateList(
  path: usize,
  pathLength: i32,
  after: usize,
  afterLength: i32,
  dst: usize,
  length: i32,
): i32;

@external("workswap", "send")
export declare function hostSend(to: usize, toLength: i32, src: usize, length: i32): void;
