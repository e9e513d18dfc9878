export { askAbout, hostAt, rollBackAt } from './host-at.ts';
export { makePublication, type Publication, type ServiceFields } from './publication.ts';
