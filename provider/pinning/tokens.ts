import { createHash, randomBytes } from 'node:crypto';
import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Database } from '../store/index.ts';
import { PinError } from './errors.ts';
import { DEVICE_LENGTH_MAX, TOKENS_PER_OWNER_MAX } from './limits.ts';

/** What is known of a token; the token itself is not kept. */
export interface TokenInfo {
  id: string;
  /** What uses it, for people. */
  device: string;
  createdMs: number;
  expiresMs?: number | undefined;
  /** To the minute. */
  usedMs?: number;
}

const PREFIX = 'wsp_';
const SECRET_BYTES = 32;
const USED_STEP_MS = 60_000;

/**
 * Bearer tokens: each is one device of one owner, ends by itself if that was asked for, and can be revoked alone. Only
 * hashes are kept; a token has 256 random bits, so a plain hash of it tells nothing.
 */
export class Tokens {
  readonly #insert: StatementSync;
  readonly #byHash: StatementSync;
  readonly #list: StatementSync;
  readonly #used: StatementSync;
  readonly #delete: StatementSync;

  /** On the tables of `pinsSchema`. */
  constructor({ sqlite }: Database) {
    this.#insert = sqlite.prepare(
      'INSERT INTO tokens (id, hash, owner, device, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#byHash = sqlite.prepare('SELECT * FROM tokens WHERE hash = ?');
    this.#list = sqlite.prepare('SELECT * FROM tokens WHERE owner = ? ORDER BY created_ms');
    this.#used = sqlite.prepare('UPDATE tokens SET used_ms = ? WHERE id = ?');
    this.#delete = sqlite.prepare('DELETE FROM tokens WHERE owner = ? AND id = ?');
  }

  /** The token is shown this once. @throws PinError TOKEN_INVALID */
  create(owner: string, { device, expiresMs }: Pick<TokenInfo, 'device' | 'expiresMs'>): TokenInfo & { token: string } {
    const nowMs = Date.now();
    if (device.length === 0 || device.length > DEVICE_LENGTH_MAX) {
      throw new PinError('TOKEN_INVALID', `A device has a name of 1 to ${DEVICE_LENGTH_MAX} characters.`);
    }
    if (expiresMs !== undefined && expiresMs <= nowMs) {
      throw new PinError('TOKEN_INVALID', 'The token would have ended already.');
    }
    if (this.list(owner).length >= TOKENS_PER_OWNER_MAX) {
      throw new PinError('TOKEN_INVALID', `There are ${TOKENS_PER_OWNER_MAX} tokens already. Revoke some first.`);
    }
    const token = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
    const id = randomBytes(6).toString('hex');
    this.#insert.run(id, hashOf(token), owner, device, nowMs, expiresMs ?? null);
    return { token, id, device, createdMs: nowMs, ...(expiresMs === undefined ? {} : { expiresMs }) };
  }

  list(owner: string): TokenInfo[] {
    return this.#list.all(owner).map(toInfo);
  }

  /** @throws PinError TOKEN_INVALID */
  revoke(owner: string, id: string): void {
    if (this.#delete.run(owner, id).changes === 0) {
      throw new PinError('TOKEN_INVALID', 'You have no token of this id. "workswap pin token ls" lists them.');
    }
  }

  /** Whose token this is; undefined for one that is unknown, revoked or over. */
  authenticate(token: string): { id: string; owner: string } | undefined {
    const nowMs = Date.now();
    const row = token.startsWith(PREFIX) ? this.#byHash.get(hashOf(token)) : undefined;
    if (row === undefined) return undefined;
    const { id, expiresMs = Infinity, usedMs = 0 } = toInfo(row);
    if (expiresMs <= nowMs) return undefined;
    if (nowMs - usedMs > USED_STEP_MS) this.#used.run(nowMs, id);
    return { id, owner: String(row['owner']) };
  }
}

function hashOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

function toInfo(row: Record<string, SQLOutputValue>): TokenInfo {
  const { expires_ms: expiresMs, used_ms: usedMs } = row;
  return {
    id: String(row['id']),
    device: String(row['device']),
    createdMs: Number(row['created_ms']),
    ...(expiresMs === null ? {} : { expiresMs: Number(expiresMs) }),
    ...(usedMs === null ? {} : { usedMs: Number(usedMs) }),
  };
}
