"""Template tags: amounts (numbers, times), marks (icons, status, bars), actions (buttons with their excuse)."""
