module outagewords

go 1.27
