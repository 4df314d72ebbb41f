"""Webhooks of the services that send our mail: who bounced, who complained, who left.

    request ─► is it theirs? ─► JSON ─► an event an item ─► evidence of `domain.bounces`
                    └► Forged            └► anything else is counted and ignored

One module a provider, each with a pure `parse` and a class that proves the sender first. The far
end's own words are judged as those of any bounce; what the provider makes of them alone is believed
only where there are none.
"""
