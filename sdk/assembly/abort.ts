import { allocate } from './bytes';
import { hostFail } from './host';
import { utf8LengthMax, utf8Write } from './utf8';

function writeNumber(value: u32, dst: usize): usize {
  if (value > 9) dst = writeNumber(value / 10, dst);
  store<u8>(dst, 0x30 + (value % 10));
  return dst + 1;
}

/**
 * What the compiler calls for `throw` and a failed `assert`: the job ends with the author's message, file and line.
 * Linked in place of the standard `abort`, which a provider does not offer.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  // Compared as pointers: for strings, even `=== null` would compare their text.
  const what = changetype<usize>(message) == 0 ? 'assertion failed' : changetype<string>(message);
  const where = changetype<usize>(file) == 0 ? '' : changetype<string>(file);
  const text = changetype<usize>(allocate(utf8LengthMax(what) + utf8LengthMax(where) + 32));
  let end = utf8Write(what, text);
  store<u16>(end, 0x2820); // " ("
  end = utf8Write(where, end + 2);
  store<u8>(end, 0x3a);
  end = writeNumber(line, end + 1);
  store<u8>(end, 0x3a);
  end = writeNumber(column, end + 1);
  store<u8>(end, 0x29);
  hostFail(text, <i32>(end + 1 - text));
  unreachable();
}
