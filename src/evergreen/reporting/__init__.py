"""What people look at: pages, pictures, model card, the screen."""
