"""The pages. Plain functions; each getter authorises: 404 for what a person may not see, 403 for what a reader may not do."""
