"""The script expert: which script a line in a picture is written in. Trained on drawn lines."""
