"""The wizard: screens that edit answers and show events. The one room that knows Textual."""
