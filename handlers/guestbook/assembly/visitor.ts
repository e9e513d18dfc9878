import { Request, Response, sha256, toHex } from 'workswap';

const COOKIE: string = 'visitor';
const TOKEN_DIGITS: i32 = 32;
const YEAR_SECONDS: string = '31536000';
const ID_DIGITS: i32 = 32;

/**
 * Who asks: whoever holds the cookie that came with the first entry, or else the peer that asks. The state can be read by
 * anyone, so it has only the cookie's hash.
 */
export class Visitor {
  private constructor(
    /** What entries are marked with. */
    public id: string,
    public hasCookie: bool,
    private token: string,
  ) {}

  static of(req: Request): Visitor {
    const token = req.cookies.get(COOKIE);
    // A gateway is one peer for all its visitors: the peer alone gives a name, but owns no entries.
    return isToken(token) ? Visitor.ofToken(token) : new Visitor(idOf('peer ' + req.caller), false, '');
  }

  static fresh(req: Request): Visitor {
    return Visitor.ofToken(toHex(req.random(TOKEN_DIGITS >> 1)));
  }

  private static ofToken(token: string): Visitor {
    return new Visitor(idOf('cookie ' + token), true, token);
  }

  /** Two words that suit the id: easier to recognise than its digits. */
  get nickname(): string {
    const adjectives = [
      'Amber',
      'Bold',
      'Calm',
      'Clever',
      'Gentle',
      'Golden',
      'Lucky',
      'Merry',
      'Misty',
      'Nimble',
      'Patient',
      'Quiet',
      'Silver',
      'Sunny',
      'Swift',
      'Wild',
    ];
    const animals = [
      'Badger',
      'Crane',
      'Dolphin',
      'Falcon',
      'Finch',
      'Fox',
      'Hare',
      'Heron',
      'Ibex',
      'Lynx',
      'Marten',
      'Otter',
      'Owl',
      'Raven',
      'Seal',
      'Wren',
    ];
    return adjectives[hexValue(this.id, 0)] + ' ' + animals[hexValue(this.id, 1)];
  }

  remember(response: Response): void {
    response.cookie(COOKIE, this.token, 'Max-Age=' + YEAR_SECONDS + '; HttpOnly; SameSite=Lax');
  }
}

/** One of sixteen, by a digit of an id. */
export function hexValue(id: string, at: i32): i32 {
  return I32.parseInt(id.charAt(at), 16);
}

function isToken(text: string): bool {
  if (text.length != TOKEN_DIGITS) return false;
  for (let i = 0; i < text.length; i++) if (!'0123456789abcdef'.includes(text.charAt(i))) return false;
  return true;
}

function idOf(what: string): string {
  return toHex(sha256(Uint8Array.wrap(String.UTF8.encode('guestbook ' + what)))).substring(0, ID_DIGITS);
}
