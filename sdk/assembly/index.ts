export { Headers } from './headers';
export { Query } from './query';
export { Request } from './request';
export { Response } from './response';
