export { Pins, PINS_PATH } from './pins.ts';
