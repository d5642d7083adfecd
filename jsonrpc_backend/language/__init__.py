"""The sentences that users of an app may see, in other languages than English."""
