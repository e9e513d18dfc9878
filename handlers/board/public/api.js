/** The API of the handler: what it answers, or an `ApiError` that says what was wrong. */
export class ApiError extends Error {
  constructor({ code, detail, status }) {
    super(detail);
    this.code = code;
    this.status = status;
  }
}

async function ask(method, path, body, version) {
  const response = await fetch(`api/boards${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.status === 204) return undefined;
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const answer = isJson ? await response.json() : {};
  if (!response.ok)
    throw new ApiError({ status: response.status, detail: 'The board could not be reached.', ...answer });
  return answer;
}

export const listBoards = async () => (await ask('GET', '')).boards;
export const readBoard = (id) => ask('GET', `/${id}`);
export const addBoard = (title) => ask('POST', '', { title });
export const addCard = (board, column, title) => ask('POST', `/${board.id}/cards`, { column, title }, board.version);
export const changeCard = (board, card, change) => ask('PATCH', `/${board.id}/cards/${card}`, change, board.version);
export const removeCard = (board, card) => ask('DELETE', `/${board.id}/cards/${card}`, undefined, board.version);
