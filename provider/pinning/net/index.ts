export { askAboutPins } from './ask.ts';
export { PinningServer } from './server.ts';
export { PINNING_EXCHANGE, type AnswerTo, type PinView, type Question } from './wire.ts';
