"""Collections: who may do what with an item, and how the items that a caller asks for are found."""
