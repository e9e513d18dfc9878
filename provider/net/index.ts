export { readFrame, sendFrame } from './one-frame.ts';
export { PeerBuckets, TokenBucket, type Rate } from './rate-limit.ts';
