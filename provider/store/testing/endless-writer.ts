import { createHash, randomBytes } from 'node:crypto';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import * as Digest from 'multiformats/hashes/digest';
import { openBlockstore } from '../blockstore.ts';

/** Writes blocks until it is killed; says when it is well under way. */
const store = await openBlockstore(process.argv[2]);
for (let written = 1; ; written++) {
  await Promise.all(
    Array.from({ length: 8 }, () => {
      const bytes = randomBytes(200_000);
      const digest = Digest.create(0x12, createHash('sha256').update(bytes).digest());
      return store.put(CID.createV1(raw.code, digest), bytes);
    }),
  );
  if (written === 5) process.send?.('writing');
}
