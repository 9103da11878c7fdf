SELECT
  `t2`.`product_id`,
  `t2`.`product_brand`,
  `t2`.`product_category`,
  `t2`.`product_subcategory`,
  `t2`.`product_supplier`
FROM (
  SELECT
    `t1`.`sales_id`,
    `t1`.`date_key`,
    `t1`.`store_id`,
    `t1`.`product_id`,
    `t1`.`sales_amount`,
    `t1`.`sales_quantity`,
    `t1`.`retailer_id`,
    `t1`.`product_brand`,
    `t1`.`product_category`,
    `t1`.`product_subcategory`,
    `t1`.`product_supplier`,
    ROW_NUMBER() OVER (
      PARTITION BY `t1`.`product_id`
      ORDER BY `t1`.`date_key` DESC, `t1`.`product_brand` ASC, `t1`.`product_category` ASC, `t1`.`product_subcategory` ASC, `t1`.`product_supplier` ASC
    ) - 1 AS `newest_first`
  FROM (
    SELECT
      *
    FROM `fact_sales_enriched` AS `t0`
    WHERE
      `t0`.`product_id` IS NOT NULL
  ) AS `t1`
) AS `t2`
WHERE
  `t2`.`newest_first` = 0
