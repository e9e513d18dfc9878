import { $, ago, bytes, count, element, peerName, table } from './elements.js';

export function mailboxes({ mailboxes: rows, mailboxTotals: all }) {
  const files = all.files === 0 ? '' : ` Files: ${count(all.files)} (${bytes(all.filesBytes)}).`;
  const most = rows.length < all.mailboxes ? ` The ${count(rows.length)} that take most are shown.` : '';
  $('mailboxes-note').textContent =
    `Mailboxes: ${count(all.mailboxes)}. Messages that wait: ${count(all.messages)} (${bytes(all.bytes)}).${files}${most}`;
  table(
    'mailboxes',
    [
      ['owner', peerName],
      ['waiting', ({ messages }) => count(messages), true],
      ['size', (row) => bytes(row.bytes), true],
      ['oldest', ({ oldestMs }) => (oldestMs === undefined ? '–' : ago(Date.now() - oldestMs)), true],
      ['paid for by', ({ payer }) => (payer === 'sender' ? 'senders' : 'its owner')],
      ['change', closeButton],
    ],
    rows,
    'None yet: host in [mailbox] of workswap.toml says who may have one.',
  );
}

function closeButton({ peer, messages }) {
  const button = element('button', { text: 'Close …', 'aria-label': `Close the mailbox of ${peer}` });
  button.addEventListener('click', () => {
    $('mailbox-id').textContent = peer;
    $('mailbox-waits').textContent =
      messages === 0 ? 'Nothing waits in it.' : `Messages that wait in it: ${count(messages)}. Nobody will get them.`;
    $('mailbox').returnValue = '';
    $('mailbox').showModal();
  });
  return button;
}
