import { Query } from 'workswap';

export const NAME_MAX: i32 = 60;
export const MESSAGE_MAX: i32 = 1000;

/** What a visitor sent, made clean, and what is wrong with it. */
export class Draft {
  name: string = '';
  message: string = '';
  nameProblem: string = '';
  messageProblem: string = '';
  isTrap: bool = false;

  static fromForm(form: Query): Draft {
    const draft = new Draft();
    draft.name = clean(form.get('name'), false);
    draft.message = clean(form.get('message'), true);
    draft.isTrap = form.get('website').length > 0;
    if (draft.name.length == 0) draft.nameProblem = 'Please say who you are.';
    else if (draft.name.length > NAME_MAX) draft.nameProblem = 'At most 60 characters, please.';
    if (draft.message.length == 0) draft.messageProblem = 'Please write something.';
    else if (draft.message.length > MESSAGE_MAX) draft.messageProblem = 'At most 1,000 characters, please.';
    return draft;
  }

  get hasProblem(): bool {
    return this.nameProblem.length > 0 || this.messageProblem.length > 0;
  }
}

/** Without control characters, and without those that turn the direction of the text after them; lines end in LF. */
function clean(text: string, isLong: bool): string {
  const kept = new Array<i32>();
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i);
    if (unit == 0x0d) {
      if (i + 1 < text.length && text.charCodeAt(i + 1) == 0x0a) continue;
      unit = 0x0a;
    }
    if (unit == 0x0a && !isLong) unit = 0x20;
    if ((unit < 0x20 && unit != 0x0a) || (unit >= 0x7f && unit < 0xa0)) continue;
    if ((unit >= 0x202a && unit <= 0x202e) || (unit >= 0x2066 && unit <= 0x2069)) continue;
    kept.push(unit);
  }
  return String.fromCharCodes(kept).trimEnd().trimStart();
}
