export { decodeAnswer, encodeAnswer, RefusedError, refusalFields, refusalOf } from './answers.ts';
export { askPeer, ExchangeServer, type Answer, type ExchangeProtocol } from './exchange.ts';
export { readFrame, sendFrame } from './one-frame.ts';
export { PeerBuckets, TokenBucket, type Rate } from './rate-limit.ts';
