/** Digest of a CID's text that fits a safe integer. Not proof against crafted collisions: compare the text as well. */
export function cidKey(cid: string): number {
  let high = 0x811c9dc5;
  let low = 0x9747b28c;
  for (let i = 0; i < cid.length; i++) {
    const code = cid.charCodeAt(i);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ (code + 0x9e), 0x5bd1e995);
    low ^= low >>> 15;
  }
  high ^= high >>> 16;
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
}
