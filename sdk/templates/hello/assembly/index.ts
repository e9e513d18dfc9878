import { Request, Response } from 'workswap';

export function handle(req: Request): Response {
  const name = req.query.get('name', 'stranger');
  return Response.text('Hello, ' + name + '!\n');
}
