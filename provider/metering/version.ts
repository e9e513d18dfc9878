/**
 * Names the rules by which fuel is counted: cost table, charging points, limits. It stands in every receipt, so any change
 * to what `meter` writes or refuses is a new version.
 */
export const meterVersion = '6';
