/** Who sends a message where nobody has a key: the peer id of a key that is all zeros. */
export const NOBODY = '12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw';
