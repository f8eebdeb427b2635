"""What certification asks, case by case, of a provider on https that is driven from outside."""
