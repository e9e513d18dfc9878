/**
 * @packageDocumentation
 *
 * Brings what handlers send to its recipients: `docs/messages.md`. What is waiting lies in the outbox of the services'
 * states.
 */
export { Deliverer, type Deliver, type DelivererInit } from './deliverer.ts';
export { isFinal } from './errors.ts';
export { DELIVERY_LIMITS, deliveryLimits, type DeliveryLimits } from './limits.ts';
export { sendMessage } from './send.ts';
export { routesOf, type RoutesInit } from './routes.ts';
