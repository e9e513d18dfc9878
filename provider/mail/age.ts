import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { MailError } from './errors.ts';

const MAGIC = Buffer.from('age-encryption.org/v1\n');

export { generateX25519Identity as generateMailKey, identityToRecipient as mailKeyOf };

/** For one recipient each: a file for several would tell whoever keeps it how many there are. */
export async function encryptTo(recipient: string, content: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(content);
}

/** @throws MailError LETTER_INVALID */
export async function decryptWith(identity: string, file: Uint8Array): Promise<Uint8Array> {
  if (Buffer.compare(file.subarray(0, MAGIC.length), MAGIC) !== 0) throw unreadable('it is not age');
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(file);
  } catch (error) {
    throw unreadable((error as Error).message, error);
  }
}

function unreadable(reason: string, cause?: unknown): MailError {
  return new MailError('LETTER_INVALID', `This cannot be decrypted: ${reason}`, cause);
}
