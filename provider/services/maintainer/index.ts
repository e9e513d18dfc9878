export { makePublication, type Publication, type ServiceFields } from './publication.ts';
