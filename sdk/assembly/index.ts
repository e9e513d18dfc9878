export { CODEC_DAG_PB, CODEC_RAW, Cid } from './cid';
export { ed25519Verify, sha256, toHex } from './crypto';
export { escapeHtml, quoteJson } from './escape';
export { File } from './file';
export { Headers } from './headers';
export { log } from './log';
export { Query } from './query';
export { Request } from './request';
export { Response } from './response';
