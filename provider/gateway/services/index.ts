export { Sites, type SiteRequest } from './sites.ts';
