/** Lets cards be dragged with a mouse. Everything that it does can be done with the cards' buttons as well. */
export function enableDragging(main, move) {
  let dragged;

  main.addEventListener('dragstart', (event) => {
    dragged = event.target.closest('.card');
    if (dragged === null) return;
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', dragged.querySelector('h3').textContent);
    // The picture that is dragged is taken first.
    requestAnimationFrame(() => dragged?.classList.add('dragged'));
  });

  main.addEventListener('dragover', (event) => {
    const list = event.target.closest('.column')?.querySelector('.cards');
    if (!dragged || !list) return;
    event.preventDefault();
    const below = [...list.children].find((card) => {
      const { top, height } = card.getBoundingClientRect();
      return card !== dragged && event.clientY < top + height / 2;
    });
    list.insertBefore(dragged, below ?? null);
  });

  main.addEventListener('drop', (event) => {
    event.preventDefault();
  });

  main.addEventListener('dragend', () => {
    if (!dragged) return;
    const position = [...dragged.parentElement.children].indexOf(dragged);
    const column = dragged.closest('.column').dataset.column;
    move(Number(dragged.dataset.card), Number(column), position);
    dragged.classList.remove('dragged');
    dragged = undefined;
  });
}
